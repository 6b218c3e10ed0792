import { useText } from "@/text";
import { en, type TextKey } from "@/text/en";
import { Icon, type IconName } from "@/ui/Icon";
import styles from "./Bubble.module.css";

const ICONS: Record<string, IconName> = {
  saving: "clock",
  queued: "clock",
  sending: "clock",
  accepted: "clock",
  sent: "tick",
  delivered: "ticks",
  read: "ticks",
  played: "ticks",
  unknown: "question",
  asking: "question",
  failed: "warning",
  refused: "warning",
  cancelled: "close",
};

/** How far a message got, drawn and said. */
export function Ticks({ status }: { status: string }) {
  const { t } = useText();
  const key = `ack_${status}`;
  const name = key in en ? t(key as TextKey) : t("ack_failed");
  return (
    <span className={styles.tick} data-status={status} title={name}>
      <Icon name={ICONS[status] ?? "clock"} size={16} />
      <span className="sr-only">{name}</span>
    </span>
  );
}
