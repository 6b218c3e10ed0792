import { type ReactNode, useEffect, useId, useRef } from "react";
import { useText } from "@/text";
import { Button } from "./Button";
import styles from "./Dialog.module.css";
import { Icon } from "./Icon";

interface Props {
  readonly title: string;
  readonly onClose: () => void;
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
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-labelledby={titleId}
      onClose={onClose}
      onCancel={onClose}
    >
      <header className={styles.head}>
        <h2 id={titleId}>{title}</h2>
        <Button look="icon" aria-label={t("close")} onClick={onClose}>
          <Icon name="close" />
        </Button>
      </header>
      {children}
    </dialog>
  );
}
