import { useOutgoing, useRetryAll } from "@/api/outgoing";
import { UnsentList } from "@/failed/UnsentList";
import { rowsOf } from "@/live/lists";
import { Frame } from "@/shell/Frame";
import { Section, Sheet } from "@/shell/Sheet";
import { useText } from "@/text";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Notice";
import { useOutcome } from "@/ui/useOutcome";

/** What did not go out, or perhaps did not, and how to send it again. */
export default function Failed() {
  const { t } = useText();
  const failed = useOutgoing("failed");
  const unknown = useOutgoing("unknown");
  const isAllWell =
    failed.isSuccess &&
    unknown.isSuccess &&
    rowsOf(failed.data).length + rowsOf(unknown.data).length === 0;
  return (
    <Frame title={t("failed")}>
      <Sheet
        title={t("failed")}
        hint={t("failedHint")}
        actions={rowsOf(failed.data).length > 0 && <RetryAll />}
      >
        {isAllWell ? (
          <Section title={t("failedNone")}>
            <Notice title={t("failedNoneHint")} />
          </Section>
        ) : (
          <>
            <UnsentList title={t("ack_failed")} status="failed" />
            <UnsentList title={t("ack_unknown")} hint={t("unknownExplained")} status="unknown" />
          </>
        )}
      </Sheet>
    </Frame>
  );
}

function RetryAll() {
  const { t } = useText();
  const tell = useOutcome();
  const retryAll = useRetryAll();
  const start = () =>
    tell(retryAll.mutateAsync(), (count) => (count ? t("retried", { count }) : t("retriedNone")));
  return (
    <Button look="main" disabled={retryAll.isPending} onClick={() => void start()}>
      {t("retryAll")}
    </Button>
  );
}
