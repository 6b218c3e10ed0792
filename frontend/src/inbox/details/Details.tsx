import { useCustomer, useTotals } from "@/api/queries";
import type { Customer } from "@/api/types";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { fullMoment, parseTime } from "@/time";
import { Avatar } from "@/ui/Avatar";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { Notice } from "@/ui/Notice";
import { CustomerForm } from "./CustomerForm";
import styles from "./Details.module.css";
import { EraseButton } from "./EraseButton";

/** Who a customer is: what the shop noted, since when, and how much was written. */
export function Details({ customerId, onClose }: { customerId: number; onClose: () => void }) {
  const { t } = useText();
  const customer = useCustomer(customerId);
  return (
    <aside className={styles.details} aria-label={t("details")}>
      <header className={styles.head}>
        <h2>{t("details")}</h2>
        <Button look="icon" aria-label={t("close")} onClick={onClose}>
          <Icon name="close" />
        </Button>
      </header>
      {customer.isPending && <Notice title={t("loading")} />}
      {customer.isError && <Notice title={t("loadFailed")} hint={explain(customer.error, t)} />}
      {customer.data && (
        <div className={styles.body}>
          <Who customer={customer.data} />
          <CustomerForm key={customer.data.id} customer={customer.data} />
          <Facts customer={customer.data} />
          <EraseButton customer={customer.data} />
        </div>
      )}
    </aside>
  );
}

function Who({ customer }: { customer: Customer }) {
  const { t } = useText();
  return (
    <div className={styles.who}>
      <Avatar id={customer.id} name={customer.name} url={customer.photo_url} size={88} />
      <p className={styles.name} dir="auto">
        {customer.name}
      </p>
      <p className={styles.phone}>{customer.phone ? `+${customer.phone}` : t("lidOnly")}</p>
    </div>
  );
}

function Facts({ customer }: { customer: Customer }) {
  const { t, locale } = useText();
  const totals = useTotals(customer.id).data;
  return (
    <dl className={styles.facts}>
      <dt>{t("created")}</dt>
      <dd>{fullMoment(parseTime(customer.created_at), locale)}</dd>
      {totals && (
        <>
          <dt>{t("totals")}</dt>
          <dd>
            {t("totalsText", {
              received: totals.received,
              sent: totals.sent,
              failed: totals.failed,
            })}
          </dd>
          {totals.first_message_at && (
            <>
              <dt>{t("firstMessage")}</dt>
              <dd>{fullMoment(parseTime(totals.first_message_at), locale)}</dd>
            </>
          )}
        </>
      )}
    </dl>
  );
}
