import { useCallback } from "react";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { useToast } from "./Toaster";

/** Says how some work ended, also when the button that began it is gone by then. */
export function useOutcome() {
  const { t } = useText();
  const toast = useToast();
  return useCallback(
    async <T>(work: Promise<T>, say: (result: T) => string): Promise<void> => {
      try {
        toast(say(await work));
      } catch (error) {
        toast(t("didNotWork", { reason: explain(error, t) }));
      }
    },
    [t, toast],
  );
}
