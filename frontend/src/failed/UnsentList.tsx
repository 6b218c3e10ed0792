import { type Unsent, useOutgoing } from "@/api/outgoing";
import { NOT_CUTTING_OFF } from "@/api/queries";
import { rowsOf } from "@/live/lists";
import { Section } from "@/shell/Sheet";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Notice";
import styles from "./Unsent.module.css";
import { UnsentMessage } from "./UnsentMessage";

interface Props {
  readonly title: string;
  readonly hint?: string;
  readonly status: Unsent;
}

/** The messages in one state; nothing at all where there are none. */
export function UnsentList({ title, hint, status }: Props) {
  const { t } = useText();
  const list = useOutgoing(status);
  const rows = rowsOf(list.data);
  if (list.isSuccess && rows.length === 0) return null;
  return (
    <Section title={title} hint={rows.length > 0 ? hint : undefined}>
      {list.isPending && <p role="status">{t("loading")}</p>}
      {list.isError && (
        <Notice title={t("loadFailed")} hint={explain(list.error, t)}>
          <Button look="main" onClick={() => void list.refetch()}>
            {t("tryAgain")}
          </Button>
        </Notice>
      )}
      <ul className={styles.list} hidden={rows.length === 0}>
        {rows.map((message) => (
          <UnsentMessage key={message.id} message={message} />
        ))}
      </ul>
      {list.hasNextPage && (
        <Button disabled={list.isFetching} onClick={() => void list.fetchNextPage(NOT_CUTTING_OFF)}>
          {list.isFetchingNextPage ? t("loading") : t("showMore")}
        </Button>
      )}
    </Section>
  );
}
