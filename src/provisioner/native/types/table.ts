/** Every type that the native engine knows. */
import { dockerContainer } from "../docker/container.ts";
import { dockerImage } from "../docker/image.ts";
import { dockerNetwork } from "../docker/network.ts";
import { dockerVolume } from "../docker/volume.ts";
import { nullResource, terraformData } from "./builtin.ts";
import { coderTypes } from "./coder.ts";
import type { NativeType } from "./native-type.ts";
import { localTypes } from "./local.ts";
import { randomTypes } from "./random.ts";
import { timeTypes } from "./time.ts";

const all: readonly NativeType[] = [
  ...coderTypes,
  terraformData,
  nullResource,
  ...randomTypes,
  ...timeTypes,
  ...localTypes,
  dockerContainer,
  dockerImage,
  dockerVolume,
  dockerNetwork,
];
const byName: ReadonlyMap<string, NativeType> = new Map(
  all.map((type) => [`${type.mode} ${type.type}`, type]),
);

export const findType = (mode: "managed" | "data", type: string): NativeType | undefined =>
  byName.get(`${mode} ${type}`);
