import { useState } from "react";
import { exportAddress, useImport } from "@/api/customerFiles";
import { Section } from "@/shell/Sheet";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import { ImportResult } from "./ImportResult";
import styles from "./Settings.module.css";

/** Customers as a file, out and in. */
export function CustomerFiles() {
  const { t } = useText();
  return (
    <Section title={t("customersAsFile")}>
      <h3>{t("export")}</h3>
      <p className={styles.note}>{t("exportHint")}</p>
      <p>
        <a href={exportAddress()} download>
          {t("exportAll")}
        </a>
      </p>
      <h3>{t("import")}</h3>
      <Import />
    </Section>
  );
}

/** First what a file would do, then, when that is wanted, the doing. */
function Import() {
  const { t } = useText();
  const [file, setFile] = useState<File | null>(null);
  const run = useImport();
  const choose = (chosen: File | null) => {
    setFile(chosen);
    run.reset();
    if (chosen) run.mutate({ file: chosen, isDry: true });
  };
  const report = run.data;
  const changes = report ? report.created + report.updated : 0;
  return (
    <div className={styles.form}>
      <Field label={t("importFile")} hint={t("importHint")}>
        <input
          type="file"
          accept=".csv,text/csv"
          onChange={(event) => choose(event.target.files?.[0] ?? null)}
          // The same file, mended meanwhile, can be chosen once more.
          onClick={(event) => {
            event.currentTarget.value = "";
          }}
        />
      </Field>
      <div role="status">
        {run.isPending && <p>{t(run.variables.isDry ? "importLooks" : "importWorks")}</p>}
        {report && <ImportResult report={report} />}
      </div>
      <div role="alert">
        {run.isError && (
          <p className={styles.problem}>{t("didNotWork", { reason: explain(run.error, t) })}</p>
        )}
      </div>
      {file && report?.dry_run && changes > 0 && (
        <div>
          <Button look="main" onClick={() => run.mutate({ file, isDry: false })}>
            {t("importNow", { count: changes })}
          </Button>
        </div>
      )}
    </div>
  );
}
