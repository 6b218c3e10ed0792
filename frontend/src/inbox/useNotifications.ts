import { useEffect, useRef } from "react";
import { useLive } from "@/live/LiveProvider";
import { useNotify } from "@/state/settings";
import { useText } from "@/text";
import { Looking } from "./looking";

/** Tells of new messages outside the page, where the agent wants it and is not looking at them. */
export function useNotifications(selected: number | null, select: (id: number) => void): void {
  const isWanted = useNotify();
  const { listen } = useLive();
  const { t } = useText();
  const shown = useRef(selected);
  const looking = useRef<Looking | null>(null);
  useEffect(() => {
    shown.current = selected;
  }, [selected]);
  useEffect(() => {
    const isHere = (id: number) => document.visibilityState === "visible" && shown.current === id;
    const made = new Looking(isHere);
    looking.current = made;
    return () => made.close();
  }, []);
  useEffect(() => {
    if (!isWanted || !("Notification" in window)) return;
    return listen((event) => {
      if (event.type !== "inbound_message" || Notification.permission !== "granted") return;
      const { customer_id: id, customer, message } = event;
      const notify = () => {
        const note = makeNote(t("newMessageFrom", { name: customer.name }), message.content, id);
        if (note) note.onclick = () => [window.focus(), select(id), note.close()];
      };
      void looking.current?.isLookedAt(id).then((isSeen) => isSeen || notify());
    });
  }, [isWanted, listen, select, t]);
}

function makeNote(title: string, body: string, customerId: number): Notification | null {
  try {
    // One tag a chat: all tabs tell it, and the browser shows it once.
    return new Notification(title, { body, tag: `crm-${customerId}` });
  } catch {
    return null; // Chrome on Android has the name, and lets no page use it.
  }
}
