import { useState } from "react";
import { addressOf } from "@/api/address";
import styles from "./Avatar.module.css";

const HUES = 12;

/** The first letters of a name: one, or two of two words; whole characters, emoji too. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return (
    letters
      .map((word) => [...(word ?? "")][0] ?? "")
      .join("")
      .toLocaleUpperCase() || "?"
  );
}

/** A customer's picture; initials where there is none, or it cannot be shown. */
export function Avatar({
  id,
  name,
  url,
  size = 44,
}: {
  id: number;
  name: string;
  url: string | null;
  size?: number;
}) {
  const [broken, setBroken] = useState<string | null>(null);
  const isShown = url !== null && url !== broken;
  return (
    <span
      className={styles.avatar}
      data-hue={id % HUES}
      style={{ width: size, height: size, fontSize: size * 0.38 }}
      aria-hidden="true"
    >
      {isShown ? (
        // biome-ignore lint/performance/noImgElement: a static page has no image server
        <img
          src={addressOf(url)}
          alt=""
          loading="lazy"
          decoding="async"
          referrerPolicy="no-referrer"
          onError={() => setBroken(url)}
        />
      ) : (
        initials(name)
      )}
    </span>
  );
}
