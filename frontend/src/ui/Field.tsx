import { cloneElement, type ReactElement, useId } from "react";
import styles from "./Field.module.css";

interface Props {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  /** The input itself; it is given its id and descriptions. */
  readonly children: ReactElement<{
    id?: string;
    className?: string;
    "aria-describedby"?: string;
    "aria-invalid"?: boolean;
  }>;
}

/** An input with its name, a hint, and what is wrong with it. */
export function Field({ label, hint, error, children }: Props) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {cloneElement(children, {
        id,
        className: styles.input ?? "",
        ...(note ? { "aria-describedby": `${id}-note` } : {}),
        ...(error ? { "aria-invalid": true } : {}),
      })}
      {note && (
        <p id={`${id}-note`} className={error ? styles.error : styles.hint}>
          {note}
        </p>
      )}
    </div>
  );
}
