import { useTemplates } from "@/api/queries";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { clockTime } from "@/time";
import { Button } from "@/ui/Button";
import styles from "./Composer.module.css";

/** Describes the field that takes nothing now. */
export const WINDOW_ID = "composer-window";

interface Props {
  readonly closes: Date | null;
  readonly isClosed: boolean;
  readonly onTemplates: () => void;
}

/** Until when WhatsApp takes free text, where it has such an end. */
export function WindowLine({ closes, isClosed, onTemplates }: Props) {
  const { t, locale } = useText();
  if (closes === null) return null;
  if (isClosed) return <ClosedWindow onTemplates={onTemplates} />;
  return <p className={styles.hint}>{t("windowClosesIn", { time: clockTime(closes, locale) })}</p>;
}

/** Templates are the only way now: offered, or said why there are none. */
function ClosedWindow({ onTemplates }: Pick<Props, "onTemplates">) {
  const { t } = useText();
  const templates = useTemplates();
  const failure = templates.data ? null : templates.error;
  const why = failure ? `${t("loadFailed")} ${explain(failure, t)}` : t("noTemplates");
  const hasNone = templates.data?.length === 0;
  return (
    <div className={styles.closedWindow}>
      <p id={WINDOW_ID} className={styles.closed}>
        {t("windowClosed")} {(failure || hasNone) && why}
      </p>
      {failure && <Button onClick={() => void templates.refetch()}>{t("tryAgain")}</Button>}
      {templates.data && !hasNone && (
        <Button look="main" onClick={onTemplates}>
          {t("templates")}
        </Button>
      )}
    </div>
  );
}
