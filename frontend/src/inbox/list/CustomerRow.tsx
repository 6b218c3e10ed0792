import { memo } from "react";
import type { CustomerSummary } from "@/api/types";
import { useText } from "@/text";
import { parseTime, shortMoment } from "@/time";
import { Avatar } from "@/ui/Avatar";
import { useStatusName } from "../statuses";
import { ROW } from "../useShortcuts";
import styles from "./CustomerRow.module.css";

interface Props {
  readonly row: CustomerSummary;
  readonly isSelected: boolean;
  readonly now: Date;
  readonly onSelect: (id: number) => void;
}

/** One customer: who, when, the last message, and how many were not read. */
export const CustomerRow = memo(function CustomerRow({ row, isSelected, now, onSelect }: Props) {
  const { t, locale } = useText();
  const statusName = useStatusName();
  const moment = row.last_timestamp && parseTime(row.last_timestamp);
  return (
    <button
      type="button"
      className={styles.row}
      aria-current={isSelected ? "true" : undefined}
      onClick={() => onSelect(row.id)}
      {...{ [ROW]: row.id }}
    >
      <Avatar id={row.id} name={row.name} url={row.photo_url} />
      <span className={styles.name} dir="auto">
        {row.name}
      </span>
      {moment && <time className={styles.time}>{shortMoment(moment, now, locale)}</time>}
      <span className={styles.last} dir="auto">
        {row.last_message ?? row.phone}
      </span>
      <span className={styles.marks}>
        {row.status !== "new" && <span className={styles.status}>{statusName(row.status)}</span>}
        {row.unread_count > 0 && (
          <span className={styles.unread}>
            <span aria-hidden="true">{row.unread_count}</span>
            <span className="sr-only">{t("unread", { count: row.unread_count })}</span>
          </span>
        )}
      </span>
    </button>
  );
});
