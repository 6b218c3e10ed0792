import type { Order } from "@/state/settings";
import { useText } from "@/text";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { STATUSES, useStatusName } from "../statuses";
import { SEARCH_ID } from "../useShortcuts";
import styles from "./ListHead.module.css";

interface Props {
  readonly search: string;
  readonly status: string;
  readonly order: Order;
  readonly onSearch: (text: string) => void;
  readonly onStatus: (status: string) => void;
  readonly onOrder: (order: Order) => void;
  readonly onNew: () => void;
}

/** Search, status and order of the list, and how to begin a chat. */
export function ListHead({ search, status, order, onSearch, onStatus, onOrder, onNew }: Props) {
  const { t } = useText();
  const statusName = useStatusName();
  return (
    <header className={styles.head}>
      <div className={styles.title}>
        <h1>{t("inbox")}</h1>
        <Button look="icon" aria-label={t("newChat")} title={t("newChat")} onClick={onNew}>
          <Icon name="plus" />
        </Button>
      </div>
      <input
        id={SEARCH_ID}
        className={styles.search}
        type="search"
        dir="auto"
        aria-label={t("search")}
        placeholder={t("searchHint")}
        value={search}
        maxLength={200}
        onChange={(event) => onSearch(event.target.value)}
      />
      <div className={styles.choices}>
        <select
          aria-label={t("status")}
          value={status}
          onChange={(event) => onStatus(event.target.value)}
        >
          <option value="">{t("allStatuses")}</option>
          {STATUSES.map((each) => (
            <option key={each} value={each}>
              {statusName(each)}
            </option>
          ))}
        </select>
        <select
          aria-label={t("order")}
          value={order}
          onChange={(event) => onOrder(event.target.value as Order)}
        >
          <option value="newest">{t("newestFirst")}</option>
          <option value="unread">{t("unreadFirst")}</option>
        </select>
      </div>
    </header>
  );
}
