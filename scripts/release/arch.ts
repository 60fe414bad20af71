/** The kinds of machine that releases are for, in everybody's words. */
export interface Arch {
  readonly go: "amd64" | "arm64";
  readonly node: "x64" | "arm64";
  readonly gnu: "x86_64" | "aarch64";
  readonly loader: string;
}

export const archs: readonly Arch[] = [
  { go: "amd64", node: "x64", gnu: "x86_64", loader: "ld-linux-x86-64.so.2" },
  { go: "arm64", node: "arm64", gnu: "aarch64", loader: "ld-linux-aarch64.so.1" },
];

/** Of this machine. */
export const ownArch = (): Arch => {
  const found = archs.find(({ node }) => node === process.arch);
  if (!found) throw new Error(`releases are for amd64 and arm64; this machine is ${process.arch}`);
  return found;
};
