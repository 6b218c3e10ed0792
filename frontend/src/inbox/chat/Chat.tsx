import { useMemo, useReducer } from "react";
import { ApiError } from "@/api/client";
import { NOT_CUTTING_OFF, useChat, useCustomer } from "@/api/queries";
import type { Message } from "@/api/types";
import { type Pages, rowsOf } from "@/live/lists";
import { useEntries } from "@/outbox/OutboxProvider";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Notice";
import { Announcer } from "./Announcer";
import styles from "./Chat.module.css";
import { ChatHead } from "./ChatHead";
import { Composer } from "./Composer";
import { itemsOf } from "./items";
import { MessageList } from "./MessageList";
import { NewerMessages } from "./NewerMessages";
import { useMarkRead } from "./useMarkRead";
import { usePresence } from "./usePresence";

interface Props {
  readonly customerId: number;
  readonly onClose: () => void;
  readonly onDetails: () => void;
}

/** A customer's chat. Is made anew for each customer, so nothing crosses from one to another. */
export function Chat({ customerId, onClose, onDetails }: Props) {
  const { t } = useText();
  const customer = useCustomer(customerId);
  const chat = useChat(customerId);
  const entries = useEntries();
  const [shownUpTo, setShown] = useReducer(Math.max, 0);
  const presence = usePresence(customerId);
  const messages = useMemo(() => oldestFirst(chat.data), [chat.data]);
  const items = useMemo(
    () =>
      itemsOf(
        messages,
        entries.filter((entry) => entry.customerId === customerId),
      ),
    [messages, entries, customerId],
  );
  useMarkRead(customerId, messages, shownUpTo);
  const isGone = [customer.error, chat.error].some(
    (e) => e instanceof ApiError && e.status === 404,
  );
  return (
    <section className={styles.chat} aria-label={customer.data?.name ?? t("messages")}>
      <ChatHead
        customerId={customerId}
        customer={customer.data}
        others={presence.others}
        onClose={onClose}
        onDetails={onDetails}
      />
      {chat.isPending && !chat.isError && <Notice title={t("loading")} />}
      {chat.isError && !chat.data && (
        <Notice title={t("loadFailed")} hint={explain(chat.error, t)}>
          <Button onClick={isGone ? onClose : () => void chat.refetch()}>
            {t(isGone ? "back" : "tryAgain")}
          </Button>
        </Notice>
      )}
      {chat.data && (
        <>
          <MessageList
            items={items}
            older={chat.data.pages.slice(1).reduce((sum, page) => sum + page.rows.length, 0)}
            hasOlder={chat.hasNextPage && !chat.isFetching}
            isOlderFailed={chat.isFetchNextPageError}
            onTop={() => chat.hasNextPage && void chat.fetchNextPage(NOT_CUTTING_OFF)}
            onShown={setShown}
          />
          <Announcer message={messages.at(-1)} name={customer.data?.name ?? ""} />
          <NewerMessages customerId={customerId} />
          <Composer
            customerId={customerId}
            newestId={messages.at(-1)?.id ?? 0}
            windowClosesAt={customer.data?.window_closes_at ?? null}
            onDraft={presence.onDraft}
          />
        </>
      )}
    </section>
  );
}

/** Pages come newest first; a chat is read from the oldest. */
function oldestFirst(data: Pages<Message> | undefined): Message[] {
  return data ? rowsOf({ ...data, pages: [...data.pages].reverse() }) : [];
}
