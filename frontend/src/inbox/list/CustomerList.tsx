import { forwardRef, type HTMLAttributes } from "react";
import { Virtuoso } from "react-virtuoso";
import type { CustomerSummary } from "@/api/types";
import { useNow } from "@/ui/useNow";
import styles from "./CustomerList.module.css";
import { CustomerRow } from "./CustomerRow";

interface Props {
  readonly rows: readonly CustomerSummary[];
  readonly selected: number | null;
  readonly onSelect: (id: number) => void;
  readonly onEnd: () => void;
}

const ROW_HEIGHT = 72;
const AHEAD = 600;

const List = forwardRef<HTMLDivElement, HTMLAttributes<HTMLDivElement>>(function List(props, ref) {
  // biome-ignore lint/a11y/useSemanticElements: the virtual list wants elements that it may pad
  return <div {...props} ref={ref} role="list" />;
});

function Item(props: HTMLAttributes<HTMLDivElement>) {
  // biome-ignore lint/a11y/useSemanticElements: as above
  return <div {...props} role="listitem" />;
}

const COMPONENTS = { List, Item };

/** The rows, of which only those in view exist. */
export function CustomerList({ rows, selected, onSelect, onEnd }: Props) {
  const now = useNow();
  return (
    <Virtuoso
      className={styles.list ?? ""}
      data={rows}
      components={COMPONENTS}
      fixedItemHeight={ROW_HEIGHT}
      increaseViewportBy={AHEAD}
      computeItemKey={(_, row) => row.id}
      endReached={onEnd}
      tabIndex={-1}
      itemContent={(_, row) => (
        <CustomerRow row={row} isSelected={row.id === selected} now={now} onSelect={onSelect} />
      )}
    />
  );
}
