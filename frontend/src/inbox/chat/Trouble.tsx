import { useMutation } from "@tanstack/react-query";
import { cancelMessage } from "@/api/messages";
import { useRetry } from "@/api/outgoing";
import type { Message } from "@/api/types";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { useToast } from "@/ui/Toaster";
import styles from "./Bubble.module.css";

/** Why a message did not go out, or waits, and what can be done about it. */
export function Trouble({ message }: { message: Message }) {
  const { t } = useText();
  const toast = useToast();
  const onError = (error: Error) => toast(explain(error, t));
  const retry = useRetry(onError);
  const cancel = useMutation({ mutationFn: () => cancelMessage(message.id), onError });
  const reason = message.error ?? t("noReason");
  if (message.status === "failed") {
    return (
      <div className={styles.trouble}>
        <p className={styles.reason}>{t("failedBecause", { reason })}</p>
        <div className={styles.buttons}>
          <Button
            disabled={retry.isPending}
            onClick={() => retry.mutate({ id: message.id, confirm: false })}
          >
            {t("retry")}
          </Button>
        </div>
      </div>
    );
  }
  if (message.status === "unknown") {
    return (
      <div className={styles.trouble}>
        <p className={styles.doubt}>{t("unknownExplained")}</p>
        <div className={styles.buttons}>
          <Button
            disabled={retry.isPending}
            onClick={() => retry.mutate({ id: message.id, confirm: true })}
          >
            {t("sendAnyway")}
          </Button>
        </div>
      </div>
    );
  }
  if (message.status === "queued" && message.error) {
    return (
      <div className={styles.trouble}>
        <p className={styles.doubt}>{t("queuedBecause", { reason })}</p>
        <div className={styles.buttons}>
          <Button disabled={cancel.isPending} onClick={() => cancel.mutate()}>
            {t("withdraw")}
          </Button>
        </div>
      </div>
    );
  }
  return null;
}
