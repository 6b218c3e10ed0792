import type { ButtonHTMLAttributes } from "react";
import styles from "./Button.module.css";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: "plain" | "main" | "danger" | "quiet" | "icon";
}

/** A button in one of the page's looks; `icon` needs an `aria-label`. */
export function Button({ look = "plain", type = "button", className = "", ...rest }: Props) {
  return (
    <button type={type} className={`${styles.button} ${styles[look]} ${className}`} {...rest} />
  );
}
