import { useSession } from "@/api/session";
import type { Message } from "@/api/types";
import { useText, type Wording } from "@/text";
import { clockTime, fullMoment } from "@/time";
import { Attachment } from "./Attachment";
import styles from "./Bubble.module.css";
import { RichText } from "./RichText";
import { Ticks } from "./Ticks";
import { Trouble } from "./Trouble";

interface Props {
  readonly message: Message;
  readonly moment: Date;
  readonly continues: boolean;
}

const PLACEHOLDER = "[media]";

/** A message: its text or file, when, who wrote it, how far it got, and what to do if it failed. */
export function MessageBubble({ message, moment, continues }: Props) {
  const wording = useText();
  const isOwn = message.direction === "outbound";
  const author = useAuthorName(message, wording);
  const hasText = !(message.media && message.content === PLACEHOLDER);
  return (
    <article className={styles.bubble} data-own={isOwn} data-status={message.status}>
      {isOwn && author && !continues && <p className={styles.author}>{author}</p>}
      {message.media && <Attachment media={message.media} />}
      {hasText && <RichText text={message.content} />}
      <footer className={styles.foot}>
        <time dateTime={moment.toISOString()} title={fullMoment(moment, wording.locale)}>
          {clockTime(moment, wording.locale)}
        </time>
        {isOwn && <Ticks status={message.status} />}
      </footer>
      {isOwn && <Trouble message={message} />}
    </article>
  );
}

function useAuthorName({ author }: Message, { t }: Wording): string | null {
  const session = useSession().data;
  if (!author || author.kind === "system") return null;
  if (author.kind === "token") return t("script", { name: author.name ?? "" });
  const isMe = session?.kind === "agent" && session.me.id === author.id;
  return isMe ? t("you") : author.name;
}
