import { splitLinks } from "@/links";
import styles from "./Bubble.module.css";

/** A text as it was written: nothing in it is markup, only web addresses become links. */
export function RichText({ text }: { text: string }) {
  return (
    <p className={styles.text} dir="auto">
      {splitLinks(text).map(({ text: piece, href }, number) =>
        href ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text never change places
          <a key={number} href={href} target="_blank" rel="noopener noreferrer nofollow">
            {piece}
          </a>
        ) : (
          piece
        ),
      )}
    </p>
  );
}
