import { chooseTheme, language, useTheme } from "@/state/settings";
import { useLanguage, useText } from "@/text";
import { Choice } from "@/ui/Choice";

/** Light, dark, or as the system has it. */
export function ThemeChoice({ isNameHidden = false }: { isNameHidden?: boolean }) {
  const { t } = useText();
  return (
    <Choice
      name={t("appearance")}
      isNameHidden={isNameHidden}
      value={useTheme()}
      onChoose={chooseTheme}
      options={[
        { value: "system", label: t("themeSystem") },
        { value: "light", label: t("themeLight") },
        { value: "dark", label: t("themeDark") },
      ]}
    />
  );
}

/** Each language by its own name, so that whoever wants it can read it. */
export function LanguageChoice({ isNameHidden = false }: { isNameHidden?: boolean }) {
  const { t } = useText();
  return (
    <Choice
      name={t("language")}
      isNameHidden={isNameHidden}
      value={useLanguage()}
      onChoose={language.set}
      options={[
        { value: "en", label: "English", lang: "en" },
        { value: "zh", label: "中文", lang: "zh-CN" },
      ]}
    />
  );
}
