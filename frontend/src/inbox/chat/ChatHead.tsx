import type { Customer, Present } from "@/api/types";
import { useText } from "@/text";
import { Avatar } from "@/ui/Avatar";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import styles from "./ChatHead.module.css";

interface Props {
  readonly customerId: number;
  readonly customer: Customer | undefined;
  readonly others: readonly Present[];
  readonly onClose: () => void;
  readonly onDetails: () => void;
}

/** Who the chat is with, and which colleague looks at it or writes. */
export function ChatHead({ customerId, customer, others, onClose, onDetails }: Props) {
  const { t } = useText();
  const name = customer?.name ?? "…";
  return (
    <header className={styles.head}>
      <Button look="icon" className={styles.back ?? ""} aria-label={t("back")} onClick={onClose}>
        <Icon name="back" />
      </Button>
      <Avatar id={customerId} name={name} url={customer?.photo_url ?? null} size={40} />
      <div className={styles.who}>
        <h2 dir="auto">{name}</h2>
        <p className={styles.under} role="status">
          {others.length > 0 ? (
            <PresentLine others={others} />
          ) : (
            customer?.phone || (customer && t("lidOnly"))
          )}
        </p>
      </div>
      <Button
        look="icon"
        aria-label={t("showDetails")}
        title={t("showDetails")}
        onClick={onDetails}
      >
        <Icon name="info" />
      </Button>
    </header>
  );
}

function PresentLine({ others }: { others: readonly Present[] }) {
  const { t } = useText();
  const typing = others.filter((each) => each.state === "typing");
  const shown = typing.length > 0 ? typing : others;
  const key = typing.length > 0 ? "typing" : "viewing";
  const names = [...new Set(shown.map((each) => each.agent.name ?? t("colleague")))].join(", ");
  return (
    <span className={styles.present}>{t(shown.length > 1 ? `${key}_many` : key, { names })}</span>
  );
}
