#pragma once
// The observing handlers on a router, without sockets: a store with pools, profiles and machines, a
// dataplane's segments, and requests.

#include "mgmt/ims/observation.hpp"
#include "shared/event_ring.hpp"
#include "tests/unit/boot/boot_fixture.hpp"

#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace rouse::ims {

class TextBody final : public http::BodySource {
  public:
    explicit TextBody(std::string text) : text_(std::move(text)) {}
    boost::asio::awaitable<http::OrProblem<std::size_t>> read_some(std::span<std::byte> buffer) override {
        const std::size_t n = std::min(buffer.size(), text_.size() - read_);
        std::memcpy(buffer.data(), text_.data() + read_, n);
        read_ += n;
        co_return n;
    }
    [[nodiscard]] std::optional<std::uint64_t> length() const noexcept override { return text_.size(); }

  private:
    std::string text_;
    std::size_t read_ = 0;
};

struct Answer {
    unsigned code = 0;
    http::Headers headers;
    std::string text;
    [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(text); }
};

class ObservedTest : public boot::BootTest {
  protected:
    void SetUp() override {
        std::filesystem::create_directories(run_dir_);
        consumer_ = events::Consumer::create(*writer_, appliance_, run_dir_).value();
        dataplane_.emplace(run_dir_);
        transfers_.emplace(*consumer_);
        live_ = std::make_unique<live::Hub>(*writer_, consumer_->tables(),
                                            [](const nlohmann::json& fields) { return fields; });
        observation_.emplace(Observation{*writer_, *consumer_, *dataplane_, appliance_, requests_,
                                         *transfers_, limiter_, audit_, [this] { return tls_; },
                                         directory_.path(), {}, live_.get()});
        router_.authenticate_with([](const http::Request&) -> http::OrProblem<http::Principal> {
            return http::Principal{"tester", http::Role::viewer};
        });
        add_timeline(router_, *observation_);
        add_health(router_, *observation_);
        add_metrics(router_, *observation_);
        add_agent_report(router_, *observation_);
        count_requests(router_, *observation_);
    }
    void TearDown() override {
        live_.reset();
        consumer_.reset();
        std::filesystem::remove_all(run_dir_);
    }

    // Runs until the answer is there; PUMP, if given, meanwhile and again and again.
    Answer ask(http::Method method, const std::string& target, const std::string& body = {},
               const std::string& authorization = {}, const std::function<void()>& pump = {}) {
        const auto question = target.find('?');
        http::Request request;
        request.method = method;
        request.path = target.substr(0, question);
        request.peer = peer_;
        if (question != std::string::npos)
            request.query = http::Query::parse(target.substr(question + 1)).value();
        if (!authorization.empty()) request.headers.add("Authorization", authorization);
        TextBody source(body);
        request.set_body(source);
        std::optional<http::Response> response;
        // Outlives the writer, whose thread may still be on its way out of posting an answer that was already
        // taken.
        static boost::asio::io_context io;
        io.restart();
        boost::asio::co_spawn(
            io,
            [&]() -> boost::asio::awaitable<void> { response.emplace(co_await router_.dispatch(request)); },
            boost::asio::detached);
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!response && std::chrono::steady_clock::now() < end) {
            io.run_for(std::chrono::milliseconds(2));
            io.restart();
            if (pump) pump();
        }
        if (!response) throw std::runtime_error("no answer to " + target);
        return {http::code(response->status), response->headers, std::get<std::string>(response->body)};
    }
    Answer get(const std::string& target) { return ask(http::Method::get, target); }

    // Machine N with a profile that has a kernel.
    store::Document booting_machine(unsigned n) {
        if (!provided_) {
            EXPECT_TRUE(add_pool({{"cidr", "10.77.0.0/16"}, {"lease_seconds", 3600}}));
            EXPECT_TRUE(add_profile({{"name", "linux"}, {"kernel", "vmlinuz"}}));
            provided_ = true;
        }
        auto fields = machine(n);
        fields["boot_profile"] = "linux";
        fields["status"] = "INACTIVE";
        auto made = add_machine(fields);
        EXPECT_TRUE(made) << made.error().message;
        peer_ = *IpAddress::parse(made->text("ip"));
        return *made;
    }
    std::string token_of(unsigned n) { return token_in(script(boot::mac_text(n))); }
    nlohmann::json fields_of(const store::Id& id) {
        return store::find(*store_->snapshot(), store::kMachines, id).value().value().fields;
    }

    std::string run_dir_ = "/dev/shm/rouse-observed-test-" + std::to_string(::getpid());
    std::unique_ptr<events::Consumer> consumer_;
    std::unique_ptr<live::Hub> live_;
    std::optional<events::DataplaneCounters> dataplane_;
    std::optional<HttpTransfers> transfers_;
    RequestCounts requests_;
    http::RateLimiter limiter_{http::RateLimits{}};
    AuditTrail audit_{*writer_};
    std::optional<http::TlsStatus> tls_;
    std::optional<Observation> observation_;
    IpAddress peer_{};  // who asks: the last machine that was made
    http::Router router_;
    bool provided_ = false;
};

}  // namespace rouse::ims
