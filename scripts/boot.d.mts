export declare class BootError extends Error {}
export declare function checkPlatform(machine: { platform: string; arch: string; glibc: boolean }): void;
export declare function nodeFits(version: string): boolean;
export declare function findNode(dir: string): string;
export declare function cloneEnvironment(dir: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
export declare function currentProgram(dir: string): string | undefined;
