import { useCustomers } from "@/api/queries";
import { rowsOf } from "@/live/lists";
import { useBadge } from "@/state/settings";

const UNREAD = { search: "", status: "", order: "unread" } as const;

/** `(3) ` for the page's title, where the agent wants it and three chats are unread. */
export function useUnreadBadge(): string {
  const isWanted = useBadge();
  const list = useCustomers(UNREAD, isWanted);
  if (!isWanted) return "";
  const rows = rowsOf(list.data);
  const unread = rows.filter((row) => row.unread_count > 0).length;
  if (unread === 0) return "";
  return `(${unread}${unread === rows.length && list.hasNextPage ? "+" : ""}) `;
}
