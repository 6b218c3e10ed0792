import { useCallback, useState } from "react";
import { useText } from "@/text";
import { Notice } from "@/ui/Notice";
import { Chat } from "./chat/Chat";
import { Details } from "./details/Details";
import styles from "./Inbox.module.css";
import { KeysDialog } from "./KeysDialog";
import { CustomerPane } from "./list/CustomerPane";
import { NewChat } from "./list/NewChat";
import { useNotifications } from "./useNotifications";
import { useSelection } from "./useSelection";
import { useShortcuts } from "./useShortcuts";

/** Customers, a chat, and who it is with; on a phone one of them at a time. */
export function Inbox() {
  const { t } = useText();
  const { selected, select } = useSelection();
  const [hasDetails, setDetails] = useState(false);
  const [window, setWindow] = useState<"keys" | "newChat" | null>(null);
  const close = useCallback(() => select(null), [select]);
  const toggleDetails = useCallback(() => setDetails((shown) => !shown), []);
  useNotifications(selected, select);
  useShortcuts({
    onHelp: () => setWindow("keys"),
    onEscape: () => (hasDetails ? setDetails(false) : close()),
  });
  return (
    <div
      className={styles.panes}
      data-pane={selected === null ? "list" : hasDetails ? "details" : "chat"}
    >
      <section className={styles.list} aria-label={t("customers")}>
        <CustomerPane selected={selected} onSelect={select} onNew={() => setWindow("newChat")} />
      </section>
      {selected === null ? (
        <section className={styles.empty}>
          <Notice title={t("pickChat")} hint={t("pickChatHint")} />
        </section>
      ) : (
        <Chat key={selected} customerId={selected} onClose={close} onDetails={toggleDetails} />
      )}
      {selected !== null && hasDetails && (
        <Details
          key={`details ${selected}`}
          customerId={selected}
          onClose={() => setDetails(false)}
        />
      )}
      {window === "keys" && <KeysDialog onClose={() => setWindow(null)} />}
      {window === "newChat" && (
        <NewChat
          onClose={() => setWindow(null)}
          onOpen={(id) => {
            setWindow(null);
            select(id);
          }}
        />
      )}
    </div>
  );
}
