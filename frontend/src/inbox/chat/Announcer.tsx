import { useState } from "react";
import type { Message } from "@/api/types";
import { useText } from "@/text";

interface Props {
  readonly message: Message | undefined;
  readonly name: string;
}

/** Reads out what the customer writes while the chat is open. */
export function Announcer({ message, name }: Props) {
  const { t } = useText();
  const [known] = useState(message?.id ?? 0);
  const isNews = message?.direction === "inbound" && message.id > known;
  return (
    <p className="sr-only" aria-live="polite">
      {/* A new node each time: the same words again would else change nothing, and go unsaid. */}
      {isNews && (
        <span key={message.id}>{`${t("newMessageFrom", { name })}: ${message.content}`}</span>
      )}
    </p>
  );
}
