// A unit with much debug data, of which sprof-bench links many copies.
#include <regex>
#include <map>
#include <functional>
#include <string>
#include <vector>
#include <iostream>
#include <sstream>
#include <unordered_map>
#include <algorithm>
#include <memory>
#include <thread>
#include <future>
#include <random>
extern "C" int heavy_work(int n) {
  std::map<std::string, std::function<int(int)>> m; std::unordered_map<int,std::vector<std::string>> u;
  for (int i=0;i<n;i++){ m["k"+std::to_string(i)] = [i](int x){return x+i;}; u[i].push_back("x"); }
  std::regex r("([a-z]+)([0-9]*)"); std::smatch s; std::string t="abc123"; int c=0;
  if(std::regex_match(t,s,r)) c+=s.size();
  std::stringstream ss; for(auto&p:m) ss<<p.first<<p.second(2);
  std::mt19937 g(n); std::vector<int> v(n+10); std::generate(v.begin(),v.end(),g); std::sort(v.begin(),v.end());
  auto f=std::async(std::launch::deferred,[&]{return (int)v[0];});
  return c+ss.str().size()+f.get();
}
