import type { UseQueryResult } from "@tanstack/react-query";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import styles from "./Settings.module.css";

interface Props {
  readonly list: UseQueryResult<readonly unknown[]>;
  /** What it means that there is nothing. */
  readonly empty: string;
}

/** What is said where a list has nothing to show: it is being fetched, it failed, it is empty. */
export function ListState({ list, empty }: Props) {
  const { t } = useText();
  if (list.isPending) return <p role="status">{t("loading")}</p>;
  if (list.isError) {
    return (
      <div role="alert" className={styles.buttons}>
        <p className={styles.problem}>
          {t("loadFailed")} {explain(list.error, t)}
        </p>
        <Button onClick={() => void list.refetch()}>{t("tryAgain")}</Button>
      </div>
    );
  }
  return list.data.length === 0 ? <p className={styles.note}>{empty}</p> : null;
}
