import Link from "next/link";
import { useRouter } from "next/router";
import { useLive } from "@/live/LiveProvider";
import { useText } from "@/text";
import type { TextKey } from "@/text/en";
import { Icon, type IconName } from "@/ui/Icon";
import styles from "./Navigation.module.css";

const PLACES: readonly { href: string; name: TextKey; icon: IconName }[] = [
  { href: "/", name: "inbox", icon: "chats" },
  { href: "/app/failed", name: "failed", icon: "warning" },
  { href: "/app/figures", name: "figures", icon: "chart" },
  { href: "/app/pairing", name: "pair", icon: "phone" },
  { href: "/app/settings", name: "settings", icon: "settings" },
];

/** The pages, and whether what they show is live. */
export function Navigation() {
  const { t } = useText();
  const { pathname, query } = useRouter();
  const { state } = useLive();
  const isInChat = pathname === "/" && query.c !== undefined;
  return (
    <nav className={styles.bar} aria-label={t("menu")} data-in-chat={isInChat}>
      {PLACES.map(({ href, name, icon }) => (
        <Link
          key={href}
          href={href}
          className={styles.place}
          aria-label={t(name)}
          title={t(name)}
          aria-current={pathname === href ? "page" : undefined}
        >
          <Icon name={icon} size={22} />
          <span className={styles.word}>{t(name)}</span>
        </Link>
      ))}
      <span
        className={styles.dot}
        data-state={state}
        title={t(state === "open" ? "live" : "connecting")}
      >
        <span className="sr-only">{t(state === "open" ? "live" : "connecting")}</span>
      </span>
    </nav>
  );
}
