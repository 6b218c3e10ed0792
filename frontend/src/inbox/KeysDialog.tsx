import { useText } from "@/text";
import type { TextKey } from "@/text/en";
import { Dialog } from "@/ui/Dialog";
import styles from "./KeysDialog.module.css";

const KEYS: readonly [string, TextKey][] = [
  ["/", "key_search"],
  ["j", "key_next"],
  ["k", "key_previous"],
  ["Enter", "key_open"],
  ["Esc", "key_close"],
  ["?", "key_help"],
];

/** What each key does. */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  const { t } = useText();
  return (
    <Dialog title={t("keys")} onClose={onClose}>
      <dl className={styles.keys}>
        {KEYS.map(([key, name]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(name)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
