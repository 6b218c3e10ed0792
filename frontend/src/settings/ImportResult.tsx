import type { ImportReport } from "@/api/types";
import { useText } from "@/text";
import styles from "./Settings.module.css";

const SHOWN = 100;

/** What a file did or would do, and what is wrong with each row that was left out. */
export function ImportResult({ report }: { report: ImportReport }) {
  const { t } = useText();
  const { created, updated, unchanged, errors } = report;
  return (
    <>
      <p>
        <strong>{t(report.dry_run ? "importWould" : "importDid")}</strong>{" "}
        {t("importCounts", { created, updated, unchanged })}
      </p>
      {errors.length > 0 && (
        <>
          <p className={styles.problem}>{t("importErrors", { count: errors.length })}</p>
          <Errors errors={errors.slice(0, SHOWN)} />
          {errors.length > SHOWN && <p>{t("importMore", { count: errors.length - SHOWN })}</p>}
        </>
      )}
    </>
  );
}

function Errors({ errors }: Pick<ImportReport, "errors">) {
  const { t } = useText();
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">{t("line")}</th>
          <th scope="col">{t("column")}</th>
          <th scope="col">{t("problem")}</th>
        </tr>
      </thead>
      <tbody>
        {errors.map(({ line, field, detail }) => (
          <tr key={`${line} ${field} ${detail}`}>
            <td>{line}</td>
            <td>{field ?? t("wholeRow")}</td>
            <td>{detail}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
