import Link from "next/link";
import { useGateway } from "@/api/queries";
import type { GatewayStatus } from "@/api/types";
import { useSelection } from "@/inbox/useSelection";
import { useLive } from "@/live/LiveProvider";
import { useEntries, useOutbox } from "@/outbox/OutboxProvider";
import { useText } from "@/text";
import { en, type TextKey } from "@/text/en";
import { adviceOf } from "@/text/explain";
import { Button } from "@/ui/Button";
import { useDelayed } from "@/ui/useDelayed";
import styles from "./StatusBar.module.css";

const PATIENCE_MS = 2_500;

/** The sentence for a gateway that takes no messages. */
export function gatewaySentence(status: GatewayStatus): TextKey {
  const key = `gateway_${status.state}`;
  return key in en ? (key as TextKey) : "gateway_down";
}

/** One sentence for each thing that is wrong, and nothing when all is well. */
export function StatusBar() {
  const wording = useText();
  const { t } = wording;
  const { state } = useLive();
  const gateway = useGateway().data;
  // Every restart of the server cuts the stream for a moment: that is no news.
  const isOffline = useDelayed(state !== "open", PATIENCE_MS);
  const isDown = gateway !== undefined && !gateway.ready;
  return (
    <div role="status" className={styles.place}>
      {isOffline && <p className={styles.bar}>{t("offline")}</p>}
      {isDown && (
        <p className={styles.bar}>
          <span>
            {t(gatewaySentence(gateway))} {adviceOf(gateway, wording)}
          </span>
          {gateway.need_qr && <Link href="/app/pairing">{t("pair")}</Link>}
        </p>
      )}
      <NotTaken />
    </div>
  );
}

/** What the server did not take is decided in its chat: here is the way to those that are closed. */
function NotTaken() {
  const { t } = useText();
  const outbox = useOutbox();
  const { selected } = useSelection();
  const stopped = useEntries().filter((entry) => entry.state !== "waiting");
  const erased = stopped.filter((entry) => entry.isErased);
  const closed = stopped.filter((entry) => !entry.isErased && entry.customerId !== selected);
  const discard = () => {
    for (const { key } of erased) outbox?.withdraw(key);
  };
  return (
    <>
      {closed[0] && (
        <p className={styles.bar}>
          <span>{t("notTaken", { count: closed.length })}</span>
          <Link href={`/?c=${closed[0].customerId}`}>{t("openChat")}</Link>
        </p>
      )}
      {erased.length > 0 && (
        <p className={styles.bar}>
          <span>{t("notTakenErased", { count: erased.length })}</span>
          <Button onClick={discard}>{t("discard")}</Button>
        </p>
      )}
    </>
  );
}
