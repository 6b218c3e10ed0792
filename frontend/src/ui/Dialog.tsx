import { type ReactNode, useEffect, useId, useRef } from "react";
import { useText } from "@/text";
import { Button } from "./Button";
import styles from "./Dialog.module.css";
import { Icon } from "./Icon";

interface Props {
  readonly title: string;
  /** Without it the window stays until it is answered. */
  readonly onClose?: () => void;
  readonly children: ReactNode;
}

/** A window over the page; the browser keeps the focus in it, and gives it back. */
export function Dialog({ title, onClose, children }: Props) {
  const { t } = useText();
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const shown = dialog.current;
    if (shown && !shown.open) shown.showModal();
  }, []);
  // Browsers close a window at the second Escape, whatever a page says of the first.
  const stay = () => dialog.current?.showModal();
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-labelledby={titleId}
      onClose={onClose ?? stay}
      onCancel={onClose ?? ((event) => event.preventDefault())}
    >
      <header className={styles.head}>
        <h2 id={titleId}>{title}</h2>
        {onClose && (
          <Button look="icon" aria-label={t("close")} onClick={onClose}>
            <Icon name="close" />
          </Button>
        )}
      </header>
      {children}
    </dialog>
  );
}
