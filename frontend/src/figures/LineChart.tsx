import { useText } from "@/text";
import { clockTime } from "@/time";
import styles from "./LineChart.module.css";
import { byMinute, type Mark } from "./points";
import { HEIGHT, type Scale, scaleOf, toPath, WIDTH } from "./scale";

export interface Line {
  readonly name: string;
  readonly marks: readonly Mark[];
}

interface Props {
  readonly title: string;
  readonly hint?: string;
  readonly lines: readonly Line[];
  /** How a value is written. */
  readonly show: (value: number) => string;
  /** The least that the height of the chart stands for. */
  readonly least: number;
}

/** Up to two values over time, drawn; and as a table for whoever does not see or trust the drawing. */
export function LineChart({ title, hint, lines, show, least }: Props) {
  const { t } = useText();
  const scale = scaleOf(
    lines.map(({ marks }) => marks),
    least,
  );
  const isEmpty = lines.every(({ marks }) => marks.length === 0);
  return (
    <figure className={styles.figure}>
      <figcaption className={styles.caption}>
        <h2>{title}</h2>
        {hint && <p className={styles.hint}>{hint}</p>}
        {lines.length > 1 && <Legend lines={lines} />}
      </figcaption>
      {isEmpty ? (
        <p className={styles.empty}>{t("chartWaits")}</p>
      ) : (
        <>
          <Drawing lines={lines} scale={scale} show={show} title={title} />
          <details className={styles.details}>
            <summary>{t("asTable")}</summary>
            <Values title={title} lines={lines} show={show} />
          </details>
        </>
      )}
    </figure>
  );
}

function Legend({ lines }: Pick<Props, "lines">) {
  return (
    <ul className={styles.legend}>
      {lines.map(({ name }, index) => (
        <li key={name}>
          <svg width="28" height="8" viewBox="0 0 28 8" aria-hidden="true">
            <path className={styles.line} data-line={index} d="M2 4H26" />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}

function Drawing({ lines, scale, show, title }: Omit<Props, "hint" | "least"> & { scale: Scale }) {
  const { locale } = useText();
  const last = lines.map(({ name, marks }) => `${name}: ${show(marks.at(-1)?.value ?? 0)}`);
  return (
    <div className={styles.drawing}>
      <div className={styles.values} aria-hidden="true">
        {[scale.top, scale.top / 2, 0].map((value) => (
          <span key={value}>{show(value)}</span>
        ))}
      </div>
      <svg
        className={styles.plot}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}. ${last.join(", ")}`}
      >
        {[0, HEIGHT / 2, HEIGHT].map((y) => (
          <path key={y} className={styles.grid} d={`M0 ${y}H${WIDTH}`} />
        ))}
        {lines.map(({ name, marks }, index) => (
          <path key={name} className={styles.line} data-line={index} d={toPath(marks, scale)} />
        ))}
      </svg>
      <div className={styles.times} aria-hidden="true">
        <span>{clockTime(new Date(scale.from), locale)}</span>
        <span>{clockTime(new Date(scale.to), locale)}</span>
      </div>
    </div>
  );
}

function Values({ title, lines, show }: Pick<Props, "title" | "lines" | "show">) {
  const { t, locale } = useText();
  const columns = lines.map(({ marks }) => byMinute(marks));
  return (
    <table className={styles.table}>
      <caption className="sr-only">{title}</caption>
      <thead>
        <tr>
          <th scope="col">{t("time")}</th>
          {lines.map(({ name }) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {columns[0]?.map(({ at }, row) => (
          <tr key={at}>
            <th scope="row">{clockTime(new Date(at), locale)}</th>
            {columns.map((marks, index) => (
              <td key={lines[index]?.name}>{show(marks[row]?.value ?? 0)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
