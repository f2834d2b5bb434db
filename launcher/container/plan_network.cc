// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "launcher/container/etc_files.h"
#include "launcher/container/plan.h"
#include "launcher/container/words.h"

namespace vmfs {
namespace {

struct Ports {
  unsigned first = 0;
  unsigned last = 0;
};

std::optional<unsigned> port_number(std::string_view text) {
  unsigned value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || value == 0 || value > 65535)
    return std::nullopt;
  return value;
}

std::optional<Ports> port_range(const std::string& text) {
  const auto hyphen = text.find('-');
  const auto first = port_number(text.substr(0, hyphen));
  const auto last = hyphen == std::string::npos ? first : port_number(text.substr(hyphen + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return Ports{.first = *first, .last = *last};
}

std::string to_text(const Ports& ports) {
  return ports.first == ports.last ? std::to_string(ports.first)
                                   : fmt::format("{}-{}", ports.first, ports.last);
}

// "[ADDRESS]" or "ADDRESS" before the last two parts.
std::string address_of(const std::string& text) {
  if (text.starts_with('[') && text.ends_with(']')) return text.substr(1, text.size() - 2);
  return text;
}

std::unexpected<Error> bad_port(const std::string& text) {
  return fail(EINVAL, "-p {}: [ADDRESS:]PORT:CONTAINER-PORT[/tcp|/udp] is wanted", text);
}

// Of podman's "ADDRESS:HOST:INSIDE/PROTOCOL" into pasta's "ADDRESS/HOST:INSIDE".
Result<void> add_port(Network& network, const std::string& text) {
  const auto slash = text.find('/');
  const std::string protocol = slash == std::string::npos ? "tcp" : text.substr(slash + 1);
  const std::string rest = text.substr(0, slash);
  const auto last_colon = rest.rfind(':');
  const auto inside = port_range(last_colon == std::string::npos ? rest : rest.substr(last_colon + 1));
  const std::string front = last_colon == std::string::npos ? "" : rest.substr(0, last_colon);
  const auto address_end = front.rfind(':');
  const std::string port = address_end == std::string::npos ? front : front.substr(address_end + 1);
  const auto outside = last_colon == std::string::npos ? inside : port_range(port);
  if (!inside || !outside || inside->last - inside->first != outside->last - outside->first ||
      (protocol != "tcp" && protocol != "udp")) {
    return bad_port(text);
  }
  std::string spec = to_text(*outside) + ":" + to_text(*inside);
  if (address_end != std::string::npos) spec = address_of(front.substr(0, address_end)) + "/" + spec;
  (protocol == "tcp" ? network.tcp : network.udp).push_back(std::move(spec));
  return {};
}

Result<Network::Kind> parse_kind(const RunOptions& options, const Caller& caller, bool& required) {
  const std::string& name = options.network;
  required = !name.empty() || !options.ports.empty();
  if (name == "host") return Network::Kind::host;
  if (name == "none") return Network::Kind::none;
  if (!name.empty() && name != "pasta")
    return fail(EINVAL, "--network {}: host, none or pasta is wanted", name);
  if (caller.can_carry) return Network::Kind::pasta;
  if (required)
    return fail(ENOENT, "{} needs pasta, which is not installed (Debian: the package passt)",
                options.ports.empty() ? "--network pasta" : "-p");
  return Network::Kind::none;
}

}  // namespace

Result<Network> parse_network(const RunOptions& options, const Caller& caller) {
  Network network;
  network.kind = TRY(parse_kind(options, caller, network.required));
  if (!options.ports.empty() && network.kind != Network::Kind::pasta) {
    return fail(EINVAL, "-p goes with --network pasta only");
  }
  for (const std::string& text : options.ports) TRY(add_port(network, text));
  if (network.kind == Network::Kind::host) {
    network.resolver = caller.resolver;
  } else {
    network.resolver = resolver_for(caller.resolver, caller.systemd_resolver);
    if (network.resolver.empty() && network.kind == Network::Kind::pasta) {
      network.resolver = std::string("nameserver ") + dns_forward_address + "\n";
    }
  }
  return network;
}

}  // namespace vmfs
