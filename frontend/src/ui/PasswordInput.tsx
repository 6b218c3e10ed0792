import { type InputHTMLAttributes, useState } from "react";
import { useText } from "@/text";
import { Button } from "./Button";
import { Icon } from "./Icon";
import styles from "./PasswordInput.module.css";

/** A password, which can be looked at. */
export function PasswordInput(props: Omit<InputHTMLAttributes<HTMLInputElement>, "type">) {
  const { t } = useText();
  const [isShown, setShown] = useState(false);
  return (
    <div className={styles.place}>
      <input {...props} type={isShown ? "text" : "password"} spellCheck={false} />
      <Button
        look="icon"
        className={styles.show}
        aria-label={t("showPassword")}
        aria-pressed={isShown}
        title={t("showPassword")}
        onClick={() => setShown(!isShown)}
      >
        <Icon name={isShown ? "hidden" : "eye"} />
      </Button>
    </div>
  );
}
