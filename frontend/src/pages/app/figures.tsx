import { type Figures, useFigures } from "@/api/metrics";
import { shortDuration } from "@/durations";
import { LineChart } from "@/figures/LineChart";
import { Numbers } from "@/figures/Numbers";
import styles from "@/figures/Numbers.module.css";
import { perMinute } from "@/figures/points";
import { Frame } from "@/shell/Frame";
import { Sheet } from "@/shell/Sheet";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Notice";

/** How much goes through, how fast, and what is stuck. */
export default function FiguresPage() {
  const { t } = useText();
  const figures = useFigures();
  return (
    <Frame title={t("figures")}>
      <Sheet title={t("figures")}>
        <div role="status">
          {figures.isPending && <p>{t("loading")}</p>}
          {figures.isRefetchError && <p className={styles.old}>{t("figuresOld")}</p>}
        </div>
        {figures.isLoadingError && (
          <Notice title={t("loadFailed")} hint={explain(figures.error, t)}>
            <Button look="main" onClick={() => void figures.refetch()}>
              {t("tryAgain")}
            </Button>
          </Notice>
        )}
        {figures.data && (
          <>
            <Charts figures={figures.data} />
            <h2 className="sr-only">{t("newestFigures")}</h2>
            <Numbers figures={figures.data} />
          </>
        )}
      </Sheet>
    </Frame>
  );
}

function Charts({ figures: { points } }: { figures: Figures }) {
  const { t, locale } = useText();
  const number = (value: number) => value.toLocaleString(locale, { maximumFractionDigits: 1 });
  return (
    <div className={styles.charts}>
      <LineChart
        title={t("messagesPerMinute")}
        hint={t("sinceOpened")}
        lines={[
          { name: t("receivedTotal"), marks: perMinute(points, (point) => point.received) },
          { name: t("sentTotal"), marks: perMinute(points, (point) => point.sent) },
        ]}
        show={number}
        least={4}
      />
      <LineChart
        title={t("responseTime")}
        hint={t("responseHint")}
        lines={[
          {
            name: t("responseTime"),
            marks: points.map(({ at, responseMs }) => ({ at, value: responseMs })),
          },
        ]}
        show={(value) => `${number(value)} ms`}
        least={10}
      />
      <LineChart
        title={t("oldestUnsent")}
        lines={[
          {
            name: t("oldestUnsent"),
            marks: points.map(({ at, oldestUnsent }) => ({ at, value: oldestUnsent })),
          },
        ]}
        show={(value) => shortDuration(value, locale)}
        least={10}
      />
    </div>
  );
}
