import Head from "next/head";
import { useRouter } from "next/router";
import type { ReactNode } from "react";
import { useLiveStart } from "@/api/queries";
import { useUnreadBadge } from "@/shell/useUnreadBadge";
import styles from "./Frame.module.css";
import { Navigation } from "./Navigation";
import { StatusBar } from "./StatusBar";

/** Every page behind the sign-in: the navigation, what is wrong if anything, and the page. */
export function Frame({ title, children }: { title: string; children: ReactNode }) {
  const badge = useUnreadBadge();
  useLiveStart(useRouter().pathname !== "/");
  return (
    <div className={styles.frame}>
      <Head>
        <title key="title">{`${badge}${title}`}</title>
      </Head>
      <Navigation />
      <div className={styles.column}>
        <StatusBar />
        <main className={styles.main}>{children}</main>
      </div>
    </div>
  );
}
