import { addressOf } from "@/api/address";
import type { Media } from "@/api/types";
import { useText } from "@/text";
import { Icon } from "@/ui/Icon";
import styles from "./Attachment.module.css";

/** A file that came with a message: shown where browsers can, else to be opened. */
export function Attachment({ media }: { media: Media }) {
  const { t } = useText();
  const name = media.name ?? t("attachment");
  if (media.state !== "stored") {
    return (
      <p className={styles.absent}>{t(media.state === "pending" ? "filePending" : "fileFailed")}</p>
    );
  }
  const address = addressOf(media.url);
  const [kind] = media.mime.split("/");
  if (kind === "image") {
    return (
      <a href={address} target="_blank" rel="noopener noreferrer">
        {/* biome-ignore lint/performance/noImgElement: a static page has no image server */}
        <img
          className={styles.picture}
          src={address}
          alt={media.name ?? t("picture")}
          loading="lazy"
        />
      </a>
    );
  }
  if (kind === "audio") {
    return (
      // biome-ignore lint/a11y/useMediaCaption: a customer's voice message has no captions
      <audio className={styles.sound} src={address} controls preload="none" aria-label={name} />
    );
  }
  if (kind === "video") {
    return (
      // biome-ignore lint/a11y/useMediaCaption: a customer's video has no captions
      <video
        className={styles.picture}
        src={address}
        controls
        preload="metadata"
        aria-label={name}
      />
    );
  }
  return (
    <a className={styles.file} href={address} target="_blank" rel="noopener noreferrer">
      <Icon name="file" />
      <span dir="auto">{t("openFile", { name })}</span>
    </a>
  );
}
