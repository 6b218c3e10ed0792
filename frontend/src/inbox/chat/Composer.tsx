import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useGateway, useTemplates } from "@/api/queries";
import { holderOf, useSession } from "@/api/session";
import { useOutbox } from "@/outbox/OutboxProvider";
import { gatewaySentence } from "@/shell/StatusBar";
import { draftOf, NO_DRAFT } from "@/state/drafts";
import { useStored } from "@/state/stored";
import { useText } from "@/text";
import { parseTime } from "@/time";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { useNow } from "@/ui/useNow";
import { isComposing } from "../composing";
import { COMPOSER_ID, ROW } from "../useShortcuts";
import styles from "./Composer.module.css";
import { TemplateDialog } from "./TemplateDialog";
import { WINDOW_ID, WindowLine } from "./WindowLine";

const LONGEST = 4096;
const COUNTER_FROM = 3600;

interface Props {
  readonly customerId: number;
  /** The newest message that is shown; what is newer when the server takes ours is news. */
  readonly newestId: number;
  readonly windowClosesAt: string | null;
  readonly onDraft: (isWritten: boolean) => void;
}

/** Where messages are written. The draft is kept by the browser until it is sent. */
export function Composer({ customerId, newestId, windowClosesAt, onDraft }: Props) {
  const { t } = useText();
  const outbox = useOutbox();
  const holder = holderOf(useSession().data);
  const stored = holder === null ? null : draftOf(holder, customerId);
  const draft = useStored(stored, NO_DRAFT);
  const [isChoosing, setChoosing] = useState(false);
  const hasTemplates = (useTemplates().data ?? []).length > 0;
  const field = useFittingField(draft.text);
  const now = useNow();
  const closes = windowClosesAt === null ? null : parseTime(windowClosesAt);
  const isClosed = closes !== null && closes <= now;
  const length = [...draft.text].length;
  const canSend = outbox !== null && !isClosed && length <= LONGEST && draft.text.trim() !== "";
  const write = (text: string) => {
    const seen = draft.text === "" ? newestId : draft.seen;
    stored?.set(text === "" ? NO_DRAFT : { text, seen });
    onDraft(text !== "");
  };
  const send = () => {
    // Read where it is kept: a second click finds nothing there any more.
    const written = stored?.get() ?? NO_DRAFT;
    if (!canSend || written.text.trim() === "") return;
    stored?.set(NO_DRAFT);
    onDraft(false);
    outbox.send({ customerId, content: written.text, template: null, lastSeenId: written.seen });
    field.current?.focus();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event.nativeEvent)) return;
    event.preventDefault();
    send();
  };
  return (
    <footer className={styles.composer}>
      <GatewayLine />
      <WindowLine closes={closes} isClosed={isClosed} onTemplates={() => setChoosing(true)} />
      <div className={styles.line}>
        {hasTemplates && !isClosed && (
          <Button
            look="icon"
            aria-label={t("templates")}
            title={t("templates")}
            onClick={() => setChoosing(true)}
          >
            <Icon name="file" />
          </Button>
        )}
        <textarea
          id={COMPOSER_ID}
          ref={field}
          className={styles.field}
          rows={1}
          dir="auto"
          aria-label={t("message")}
          aria-describedby={isClosed ? WINDOW_ID : "composer-hint"}
          placeholder={t("writeMessage")}
          disabled={isClosed || holder === null}
          value={draft.text}
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKey}
        />
        <Button
          look="main"
          className={styles.send ?? ""}
          aria-label={t("send")}
          disabled={!canSend}
          onClick={send}
        >
          <Icon name="send" />
        </Button>
      </div>
      <p id="composer-hint" className={length > LONGEST ? styles.over : styles.hint}>
        {length > LONGEST
          ? t("tooLong", { count: length - LONGEST })
          : length > COUNTER_FROM
            ? t("charactersLeft", { count: LONGEST - length })
            : t("sendHint")}
      </p>
      {isChoosing && <TemplateDialog customerId={customerId} onClose={() => setChoosing(false)} />}
    </footer>
  );
}

/** Why what is written now waits, where it does; it is taken all the same. */
function GatewayLine() {
  const { t } = useText();
  const gateway = useGateway().data;
  if (!gateway || gateway.ready) return null;
  return <p className={styles.closed}>{t(gatewaySentence(gateway))}</p>;
}

/** A field that is as high as its text, and has the focus where there is a real keyboard. */
function useFittingField(text: string) {
  const field = useRef<HTMLTextAreaElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what its height follows
  useEffect(() => {
    const shown = field.current;
    if (!shown) return;
    shown.style.height = "auto";
    shown.style.height = `${shown.scrollHeight}px`;
  }, [text]);
  useEffect(() => {
    if (hasKeyboard() && isFocusFree()) field.current?.focus();
  }, []);
  return field;
}

function hasKeyboard(): boolean {
  return window.matchMedia("(hover: hover)").matches;
}

/** A chat may come late: whoever has begun something else by then goes on with it. */
function isFocusFree(): boolean {
  const held = document.activeElement;
  return held === null || held === document.body || held.hasAttribute(ROW);
}
