/** The Git SSH key pair that every user has. */
import ssh2 from "ssh2";

export interface KeyPair {
  readonly privateKey: string;
  /** authorized_keys form, with a newline at its end. */
  readonly publicKey: string;
}

export function newKeyPair(): KeyPair {
  const pair = ssh2.utils.generateKeyPairSync("ed25519");
  return {
    privateKey: pair.private.endsWith("\n") ? pair.private : `${pair.private}\n`,
    publicKey: `${pair.public.trim()}\n`,
  };
}
