/** People: accounts, their status, roles, profile, password and settings. */
import { endpoint } from "./endpoint.ts";
import { Response } from "./response.ts";
import { AssignableRole, SlimRole } from "./roles.ts";
import * as w from "./wire.ts";

export const UserStatus = w.enums("active", "dormant", "suspended");
export type UserStatus = w.Infer<typeof UserStatus>;

/** How a user signs in; `token` and `oauth2_provider_app` are of keys only. */
export const LoginType = w.enums("password", "github", "oidc", "token", "none", "oauth2_provider_app");
export type LoginType = w.Infer<typeof LoginType>;

export const MinimalUser = w.struct("MinimalUser", {
  id: w.uuid("required"),
  username: w.string("required"),
  name: w.omit(w.string()),
  avatar_url: w.omit(w.string()),
});
export type MinimalUser = w.Infer<typeof MinimalUser>;

const reducedFields = {
  id: w.uuid("required"),
  username: w.string("required"),
  name: w.omit(w.string()),
  avatar_url: w.omit(w.string()),
  email: w.string("required"),
  created_at: w.time("required"),
  updated_at: w.time(),
  last_seen_at: w.time(),
  status: UserStatus,
  login_type: LoginType,
  is_service_account: w.omit(w.bool()),
  theme_preference: w.omit(w.string()),
};

export const ReducedUser = w.struct("ReducedUser", reducedFields);
export type ReducedUser = w.Infer<typeof ReducedUser>;

export const User = w.struct("User", {
  ...reducedFields,
  organization_ids: w.list(w.uuid()),
  roles: w.list(SlimRole),
  has_ai_seat: w.bool(),
});
export type User = w.Infer<typeof User>;

export const UsersPage = w.struct("GetUsersResponse", { users: w.list(User), count: w.int() });
export type UsersPage = w.Infer<typeof UsersPage>;

export const CreateFirstUser = w.struct("CreateFirstUserRequest", {
  email: w.string("required,email"),
  username: w.string("required,username"),
  name: w.omit(w.string(), "user_real_name"),
  password: w.string("required"),
  trial: w.omit(w.bool()),
  trial_info: w.omit(w.json()),
  onboarding_info: w.omit(w.json()),
});
export type CreateFirstUser = w.Infer<typeof CreateFirstUser>;

export const CreateFirstUserResponse = w.struct("CreateFirstUserResponse", {
  user_id: w.uuid(),
  organization_id: w.uuid(),
});

export const CreateUser = w.struct("CreateUserRequestWithOrgs", {
  email: w.string("required_unless=service_account true,omitempty,email"),
  username: w.string("required,username"),
  name: w.omit(w.string(), "user_real_name"),
  password: w.omit(w.string()),
  login_type: w.omit(LoginType),
  user_status: w.omit(UserStatus),
  organization_ids: w.list(w.uuid()),
  service_account: w.omit(w.bool()),
  roles: w.omit(w.list(w.string())),
});
export type CreateUser = w.Infer<typeof CreateUser>;

export const UpdateRoles = w.struct("UpdateRoles", { roles: w.list(w.string()) });
export type UpdateRoles = w.Infer<typeof UpdateRoles>;

export const UserRoles = w.struct("UserRoles", {
  roles: w.list(w.string()),
  organization_roles: w.map(w.list(w.string())),
});
export type UserRoles = w.Infer<typeof UserRoles>;

export const UpdateProfile = w.struct("UpdateUserProfileRequest", {
  username: w.string("required,username"),
  name: w.string("user_real_name"),
});

export const UpdatePassword = w.struct("UpdateUserPasswordRequest", {
  old_password: w.omit(w.string()),
  password: w.string("required"),
});

export const Login = w.struct("LoginWithPasswordRequest", {
  email: w.string("required,email"),
  password: w.string("required"),
});

export const LoginResponse = w.struct("LoginWithPasswordResponse", { session_token: w.string("required") });

export const ValidatePassword = w.struct("ValidateUserPasswordRequest", { password: w.string("required") });

export const ValidatePasswordResponse = w.struct("ValidateUserPasswordResponse", {
  valid: w.bool(),
  details: w.string(),
});

export const UserLoginType = w.struct("UserLoginType", { login_type: LoginType });

const AuthMethod = w.struct("AuthMethod", { enabled: w.bool() });
const GithubAuthMethod = w.struct("GithubAuthMethod", {
  enabled: w.bool(),
  default_provider_configured: w.bool(),
});
const OidcAuthMethod = w.struct("OIDCAuthMethod", {
  enabled: w.bool(),
  signInText: w.string(),
  iconUrl: w.string(),
});
export const AuthMethods = w.struct("AuthMethods", {
  terms_of_service_url: w.omit(w.string()),
  password: AuthMethod,
  github: GithubAuthMethod,
  oidc: OidcAuthMethod,
});
export type AuthMethods = w.Infer<typeof AuthMethods>;

export const GitSshKey = w.struct("GitSSHKey", {
  user_id: w.uuid(),
  created_at: w.time(),
  updated_at: w.time(),
  public_key: w.string(),
});
export type GitSshKey = w.Infer<typeof GitSshKey>;

/** Works once, for 15 minutes. */
export const LoginLink = w.struct("LoginLink", { url: w.string(), expires_at: w.time() });
export type LoginLink = w.Infer<typeof LoginLink>;

const user = "/api/v2/users/{user}";

export const users = {
  hasFirstUser: endpoint({
    method: "GET",
    path: "/api/v2/users/first",
    auth: "none",
    responses: { 200: Response },
    summary: "Whether the first user exists",
  }),
  createFirstUser: endpoint({
    method: "POST",
    path: "/api/v2/users/first",
    auth: "none",
    csrf: "exempt",
    body: CreateFirstUser,
    responses: { 201: CreateFirstUserResponse },
    summary: "Make the first user, an owner",
  }),
  authMethods: endpoint({
    method: "GET",
    path: "/api/v2/users/authmethods",
    auth: "none",
    responses: { 200: AuthMethods },
    summary: "Ways to sign in",
  }),
  login: endpoint({
    method: "POST",
    path: "/api/v2/users/login",
    auth: "none",
    rate: "login",
    body: Login,
    responses: { 201: LoginResponse },
    audit: "login APIKey",
    summary: "Sign in with e-mail and password",
  }),
  logout: endpoint({
    method: "POST",
    path: "/api/v2/users/logout",
    auth: "session",
    responses: { 200: Response },
    audit: "logout APIKey",
    summary: "End this session and the user's app sessions",
  }),
  validatePassword: endpoint({
    method: "POST",
    path: "/api/v2/users/validate-password",
    auth: "none",
    rate: "login",
    body: ValidatePassword,
    responses: { 200: ValidatePasswordResponse },
    summary: "Whether a password is strong enough",
  }),
  list: endpoint({
    method: "GET",
    path: "/api/v2/users",
    auth: "session",
    query: { q: "string", after_id: "uuid", limit: "int", offset: "int" },
    responses: { 200: UsersPage },
    summary: "Users that the caller may see",
  }),
  create: endpoint({
    method: "POST",
    path: "/api/v2/users",
    auth: "session",
    body: CreateUser,
    responses: { 201: User },
    audit: "create User",
    summary: "Make a user",
  }),
  siteRoles: endpoint({
    method: "GET",
    path: "/api/v2/users/roles",
    auth: "session",
    responses: { 200: w.list(AssignableRole) },
    summary: "Site roles, and which of them the caller may give",
  }),
  get: endpoint({
    method: "GET",
    path: user,
    auth: "session",
    responses: { 200: User },
    summary: "A user by id, name or `me`",
  }),
  delete: endpoint({
    method: "DELETE",
    path: user,
    auth: "session",
    responses: { 200: Response },
    audit: "delete User",
    summary: "Delete a user",
  }),
  updateProfile: endpoint({
    method: "PUT",
    path: `${user}/profile`,
    auth: "session",
    body: UpdateProfile,
    responses: { 200: User },
    audit: "write User",
    summary: "Change user name and real name",
  }),
  updatePassword: endpoint({
    method: "PUT",
    path: `${user}/password`,
    auth: "session",
    rate: "login",
    body: UpdatePassword,
    responses: { 204: null },
    audit: "write User",
    summary: "Change a password; ends all sessions of the user",
  }),
  suspend: endpoint({
    method: "PUT",
    path: `${user}/status/suspend`,
    auth: "session",
    responses: { 200: User },
    audit: "write User",
    summary: "Suspend a user",
  }),
  activate: endpoint({
    method: "PUT",
    path: `${user}/status/activate`,
    auth: "session",
    responses: { 200: User },
    audit: "write User",
    summary: "Activate a user",
  }),
  roles: endpoint({
    method: "GET",
    path: `${user}/roles`,
    auth: "session",
    responses: { 200: UserRoles },
    summary: "Roles of a user, site-wide and per organization",
  }),
  updateRoles: endpoint({
    method: "PUT",
    path: `${user}/roles`,
    auth: "session",
    body: UpdateRoles,
    responses: { 200: User },
    audit: "write User",
    summary: "Set the site roles of a user",
  }),
  loginType: endpoint({
    method: "GET",
    path: `${user}/login-type`,
    auth: "session",
    responses: { 200: UserLoginType },
    summary: "How the caller signs in",
  }),
  gitSshKey: endpoint({
    method: "GET",
    path: `${user}/gitsshkey`,
    auth: "session",
    responses: { 200: GitSshKey },
    summary: "Public half of the user's Git SSH key",
  }),
  createLoginLink: endpoint({
    method: "POST",
    path: `${user}/login-link`,
    auth: "session",
    responses: { 201: LoginLink },
    ours: true,
    summary: "Make a one-time login link",
  }),
  regenerateGitSshKey: endpoint({
    method: "PUT",
    path: `${user}/gitsshkey`,
    auth: "session",
    responses: { 200: GitSshKey },
    audit: "write GitSSHKey",
    summary: "Replace the user's Git SSH key",
  }),
};
