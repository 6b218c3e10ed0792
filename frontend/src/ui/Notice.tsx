import type { ReactNode } from "react";
import styles from "./Notice.module.css";

interface Props {
  readonly title: string;
  readonly hint?: string | undefined;
  readonly children?: ReactNode;
}

/** What is shown where there is nothing else: what it means, and what to do. */
export function Notice({ title, hint, children }: Props) {
  return (
    <div className={styles.notice}>
      <p className={styles.title}>{title}</p>
      {hint && <p className={styles.hint}>{hint}</p>}
      {children}
    </div>
  );
}
