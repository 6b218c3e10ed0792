import Head from "next/head";
import { useRouter } from "next/router";
import { useEffect } from "react";
import { useSession } from "@/api/session";
import { LanguageChoice, ThemeChoice } from "@/shell/Appearance";
import styles from "@/shell/Login.module.css";
import { nextPath } from "@/shell/nextPath";
import { SignInForm } from "@/shell/SignIn";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Notice";

/** Where strangers sign in; whoever may come in already is sent on. */
export default function Login() {
  const { t } = useText();
  return (
    <main className={styles.page}>
      <Head>
        <title key="title">{t("signIn")}</title>
      </Head>
      <section className={styles.card}>
        {/* biome-ignore lint/performance/noImgElement: a static page has no image server */}
        <img className={styles.mark} src="/icon.svg" alt="" width={44} height={44} />
        <h1 className={styles.title}>{t("signInTo")}</h1>
        <Entrance />
      </section>
      <footer className={styles.choices}>
        <LanguageChoice isNameHidden />
        <ThemeChoice isNameHidden />
      </footer>
    </main>
  );
}

function Entrance() {
  const { t } = useText();
  const router = useRouter();
  const session = useSession();
  const isIn = session.data !== undefined && session.data.kind !== "stranger";
  useEffect(() => {
    if (!isIn || !router.isReady) return;
    void router.replace(nextPath(router.query.next, window.location.origin));
  }, [isIn, router]);
  if (session.isError) {
    return (
      <Notice title={t("loadFailed")} hint={explain(session.error, t)}>
        <Button look="main" onClick={() => void session.refetch()}>
          {t("tryAgain")}
        </Button>
      </Notice>
    );
  }
  if (session.data?.kind !== "stranger") return <p className={styles.going}>{t("loading")}</p>;
  return <SignInForm />;
}
