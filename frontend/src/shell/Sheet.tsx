import type { ReactNode } from "react";
import { useOutgoing } from "@/api/outgoing";
import styles from "./Sheet.module.css";

interface Props {
  readonly title: string;
  readonly hint?: string;
  /** What can be done with all of the page. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A page that is read from top to bottom, beside the inbox. */
export function Sheet({ title, hint, actions, children }: Props) {
  // A list says from which event on the stream is needed; without one there would be no stream.
  useOutgoing("failed");
  return (
    <div className={styles.scroller}>
      <div className={styles.sheet}>
        <header className={styles.head}>
          <div>
            <h1>{title}</h1>
            {hint && <p className={styles.hint}>{hint}</p>}
          </div>
          {actions}
        </header>
        {children}
      </div>
    </div>
  );
}

interface SectionProps {
  readonly title: string;
  readonly hint?: string | undefined;
  readonly children: ReactNode;
}

/** A part of such a page. */
export function Section({ title, hint, children }: SectionProps) {
  return (
    <section className={styles.section}>
      <h2>{title}</h2>
      {hint && <p className={styles.hint}>{hint}</p>}
      {children}
    </section>
  );
}
