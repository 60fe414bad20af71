resource "coder_agent" "a" {
  arch = "arm64"
}
