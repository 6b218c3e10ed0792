import { useDeferredValue, useMemo, useState } from "react";
import { NOT_CUTTING_OFF, useCustomers } from "@/api/queries";
import { rowsOf } from "@/live/lists";
import { order as storedOrder, useOrder } from "@/state/settings";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Notice";
import { useDebounced } from "@/ui/useDebounced";
import { CustomerList } from "./CustomerList";
import { ListHead } from "./ListHead";

const TYPING_PAUSE_MS = 180;

interface Props {
  readonly selected: number | null;
  readonly onSelect: (id: number) => void;
  readonly onNew: () => void;
}

/** The customers, searched, filtered and ordered. */
export function CustomerPane({ selected, onSelect, onNew }: Props) {
  const { t } = useText();
  const [search, setSearch] = useState("");
  const [status, setStatus] = useState("");
  const order = useOrder();
  const settled = useDebounced(search, TYPING_PAUSE_MS);
  const filter = useMemo(() => ({ search: settled, status, order }), [settled, status, order]);
  const list = useCustomers(filter);
  const rows = useDeferredValue(useMemo(() => rowsOf(list.data), [list.data]));
  const isFiltered = search !== "" || status !== "";
  return (
    <>
      <ListHead
        search={search}
        status={status}
        order={order}
        onSearch={setSearch}
        onStatus={setStatus}
        onOrder={storedOrder.set}
        onNew={onNew}
      />
      {list.isError && !list.data && (
        <Notice title={t("loadFailed")} hint={explain(list.error, t)}>
          <Button onClick={() => void list.refetch()}>{t("tryAgain")}</Button>
        </Notice>
      )}
      {list.isPending && <Notice title={t("loading")} />}
      {list.data && rows.length === 0 && !list.isFetching && (
        <NobodyHere
          isFiltered={isFiltered}
          onNew={onNew}
          onShowAll={() => [setSearch(""), setStatus("")]}
        />
      )}
      {rows.length > 0 && (
        <CustomerList
          rows={rows}
          selected={selected}
          onSelect={onSelect}
          onEnd={() => list.hasNextPage && void list.fetchNextPage(NOT_CUTTING_OFF)}
        />
      )}
    </>
  );
}

interface NobodyProps {
  readonly isFiltered: boolean;
  readonly onNew: () => void;
  readonly onShowAll: () => void;
}

function NobodyHere({ isFiltered, onNew, onShowAll }: NobodyProps) {
  const { t } = useText();
  return isFiltered ? (
    <Notice title={t("nothingFound")} hint={t("nothingFoundHint")}>
      <Button onClick={onShowAll}>{t("clearSearch")}</Button>
    </Notice>
  ) : (
    <Notice title={t("noCustomers")} hint={t("noCustomersHint")}>
      <Button look="main" onClick={onNew}>
        {t("newChat")}
      </Button>
    </Notice>
  );
}
