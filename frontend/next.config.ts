import type { NextConfig } from "next";

const config: NextConfig = {
  output: "export",
  trailingSlash: true,
  reactStrictMode: true,
  poweredByHeader: false,
  devIndicators: false,
  // `npm run check` does it, once.
  typescript: { ignoreBuildErrors: true },
  // One style sheet for all pages: Next would put that of the next page into it as an inline style,
  // which the content policy forbids, and take away the one before.
  webpack: (webpack) => {
    const { splitChunks } = webpack.optimization;
    if (splitChunks) {
      splitChunks.cacheGroups = {
        ...splitChunks.cacheGroups,
        styles: { name: "styles", type: "css/mini-extract", chunks: "all", enforce: true },
      };
    }
    return webpack;
  },
};

export default config;
