import Head from "next/head";
import Link from "next/link";
import { useText } from "@/text";
import { Notice } from "@/ui/Notice";

/** The page for an address that is none. */
export default function NotFound() {
  const { t } = useText();
  return (
    <main>
      <Head>
        <title key="title">{t("pageNotFound")}</title>
      </Head>
      <h1 className="sr-only">{t("pageNotFound")}</h1>
      <Notice title={t("pageNotFound")} hint={t("pageNotFoundHint")}>
        <Link href="/">{t("toInbox")}</Link>
      </Notice>
    </main>
  );
}
