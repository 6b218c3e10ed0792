import { useId } from "react";
import styles from "./Choice.module.css";

interface Option<T extends string> {
  readonly value: T;
  readonly label: string;
  /** The language that the label is in, where it is not the page's. */
  readonly lang?: string;
}

interface Props<T extends string> {
  readonly name: string;
  /** Whether the name is told to screen readers only. */
  readonly isNameHidden?: boolean;
  readonly value: T;
  readonly options: readonly Option<T>[];
  readonly onChoose: (value: T) => void;
}

/** One of a few, all of them in sight. */
export function Choice<T extends string>(props: Props<T>) {
  const { name, isNameHidden = false, value, options, onChoose } = props;
  const group = useId();
  return (
    <fieldset className={styles.choice} data-named={!isNameHidden}>
      <legend className={isNameHidden ? "sr-only" : undefined}>{name}</legend>
      <div className={styles.options}>
        {options.map((option) => (
          <label key={option.value} className={styles.option} lang={option.lang}>
            <input
              type="radio"
              name={group}
              checked={option.value === value}
              onChange={() => onChoose(option.value)}
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
