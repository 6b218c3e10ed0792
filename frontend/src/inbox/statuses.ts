import { useText } from "@/text";
import { en, type TextKey } from "@/text/en";

/** The labels that the page suggests; a customer may have any other. */
export const STATUSES = ["new", "open", "waiting", "won", "lost"] as const;

/** How a status is called; one of the shop's own is its own name. */
export function useStatusName(): (status: string) => string {
  const { t } = useText();
  return (status) => {
    const key = `status_${status}`;
    return key in en ? t(key as TextKey) : status;
  };
}
