import { useEffect, useRef } from "react";
import { useLive } from "@/live/LiveProvider";
import { useNotify } from "@/state/settings";
import { useText } from "@/text";

/** Tells of new messages outside the page, where the agent wants it and is not looking at them. */
export function useNotifications(selected: number | null, select: (id: number) => void): void {
  const isWanted = useNotify();
  const { listen } = useLive();
  const { t } = useText();
  const shown = useRef(selected);
  useEffect(() => {
    shown.current = selected;
  }, [selected]);
  useEffect(() => {
    if (!isWanted || !("Notification" in window)) return;
    return listen((event) => {
      if (event.type !== "inbound_message" || Notification.permission !== "granted") return;
      const isSeen = document.visibilityState === "visible" && shown.current === event.customer_id;
      if (isSeen) return;
      const title = t("newMessageFrom", { name: event.customer.name });
      // One tag a chat: all tabs tell it, and the browser shows it once.
      const note = new Notification(title, {
        body: event.message.content,
        tag: `crm-${event.customer_id}`,
      });
      note.onclick = () => {
        window.focus();
        select(event.customer_id);
        note.close();
      };
    });
  }, [isWanted, listen, select, t]);
}
