import { useRouter } from "next/router";
import { useCallback } from "react";

interface Selection {
  /** The customer whose chat is open; null for none. */
  readonly selected: number | null;
  readonly select: (id: number | null) => void;
}

/** Which chat is open: kept in the address, so that reload and the back button do what they say. */
export function useSelection(): Selection {
  const router = useRouter();
  const asked = Number(router.query.c);
  const selected = Number.isSafeInteger(asked) && asked > 0 ? asked : null;
  const { push } = router;
  const select = useCallback(
    (id: number | null) => {
      void push(id === null ? "/" : `/?c=${id}`, undefined, { shallow: true, scroll: false });
    },
    [push],
  );
  return { selected, select };
}
