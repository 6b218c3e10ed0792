import Link from "next/link";
import { useState } from "react";
import { useRetry } from "@/api/outgoing";
import { useCustomer } from "@/api/queries";
import type { Message } from "@/api/types";
import { useText } from "@/text";
import { fullMoment, parseTime } from "@/time";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { useOutcome } from "@/ui/useOutcome";
import styles from "./Unsent.module.css";

/** One message with its reason, and the way to send it again. */
export function UnsentMessage({ message }: { message: Message }) {
  const { t, locale } = useText();
  const customer = useCustomer(message.customer_id).data;
  const name =
    customer?.name || customer?.phone || t("customerNumber", { id: message.customer_id });
  return (
    <li className={styles.row}>
      <div className={styles.what}>
        <p className={styles.head}>
          <Link href={{ pathname: "/", query: { c: message.customer_id } }} dir="auto">
            {name}
          </Link>
          <time dateTime={`${message.timestamp}Z`}>
            {fullMoment(parseTime(message.timestamp), locale)}
          </time>
        </p>
        <p className={styles.text} dir="auto">
          {message.content}
        </p>
        {(message.error || message.status === "failed") && (
          <p className={styles.reason}>{message.error ?? t("noReason")}</p>
        )}
      </div>
      <Retry message={message} to={name} />
    </li>
  );
}

function Retry({ message, to }: { message: Message; to: string }) {
  const { t } = useText();
  const tell = useOutcome();
  const retry = useRetry();
  const [isAsking, setAsking] = useState(false);
  const start = (confirm: boolean) => {
    setAsking(false);
    void tell(retry.mutateAsync({ id: message.id, confirm }), ({ status }) =>
      t(status === "queued" ? "retriedOne" : "hadGoneOut"),
    );
  };
  const isUnknown = message.status === "unknown";
  return (
    <>
      <Button
        disabled={retry.isPending}
        onClick={() => (isUnknown ? setAsking(true) : start(false))}
      >
        {t("retry")}
        <span className="sr-only">: {to}</span>
      </Button>
      {isAsking && (
        <Dialog title={t("retryTo", { name: to })} onClose={() => setAsking(false)}>
          <div className={styles.ask}>
            <p>{t("unknownExplained")}</p>
            <p className={styles.text} dir="auto">
              {message.content}
            </p>
            <Button look="danger" onClick={() => start(true)}>
              {t("sendAnyway")}
            </Button>
            <Button onClick={() => setAsking(false)}>{t("cancel")}</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
