import { useText } from "@/text";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Icon } from "@/ui/Icon";
import { useToast } from "@/ui/Toaster";
import styles from "./Settings.module.css";

interface Props {
  readonly title: string;
  readonly hint?: string;
  readonly secret: string;
  readonly onClose: () => void;
}

/** A password or token that is never shown again. */
export function Secret({ title, hint, secret, onClose }: Props) {
  const { t } = useText();
  const toast = useToast();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      toast(t("copied"));
    } catch {
      toast(t("copyYourself")); // without TLS there is no clipboard
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div className={styles.form}>
        {hint && <p>{hint}</p>}
        <p>{t("shownOnce")}</p>
        <output className={styles.secret}>{secret}</output>
        <div className={styles.buttons}>
          <Button look="main" onClick={() => void copy()}>
            <Icon name="copy" />
            {t("copy")}
          </Button>
          <Button onClick={onClose}>{t("haveCopied")}</Button>
        </div>
      </div>
    </Dialog>
  );
}
